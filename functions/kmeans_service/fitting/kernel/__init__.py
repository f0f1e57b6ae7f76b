"""k-means in C: layers/numpy/kmeans, driven from NumPy, without scikit-learn."""
