"""What a fit makes: centers in the space that they were found in, and the labels of rows."""
