"""What computes fits: in memory, out of core, and room for engines that run elsewhere."""
