"""HTTP/1.1 by its grammar (RFC 9110, RFC 9112): heads from bytes, and where a message ends. No sockets, no clock."""
