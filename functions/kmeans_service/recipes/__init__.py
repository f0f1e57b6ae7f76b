"""What is asked of a fit: its parameters, its preprocessing, and the plan made of both."""
