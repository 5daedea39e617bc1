"""What is installed, and whether a guarded client really guards with it."""
