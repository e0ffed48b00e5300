"""What an upgrade of the control plane itself consists of: releases, versions, templates between two of them."""
