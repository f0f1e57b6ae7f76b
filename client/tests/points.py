"""Six points in two groups, and what makes a fit of them the same each time."""

SIX = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
TWO = {"init": [[1, 2], [10, 2]], "n_clusters": 2}
CSV = b"a,b\n1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"
