"""How Plainsail is run: manifests, and a real cluster on one machine. Not part of the wheel."""
