"""What concerns several environments: promotions from one to another, and fleets that are rolled in waves."""
