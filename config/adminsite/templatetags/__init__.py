"""Template tags of the frame and the lists."""
