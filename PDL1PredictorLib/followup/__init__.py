"""Two studies of a patient side by side: how a tumor has grown, and what has become of the answers."""
