"""Sessions from and to other formats."""
