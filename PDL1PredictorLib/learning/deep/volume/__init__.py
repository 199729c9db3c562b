"""Networks that see the volume about a tumor: how they are trained."""
