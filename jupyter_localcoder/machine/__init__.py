"""What this computer has: processors, free memory, and the limits of a container."""
