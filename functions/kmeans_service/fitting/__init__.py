"""How a fit is computed: an attempt, in a child process, in memory or out of core."""
