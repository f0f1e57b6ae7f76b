"""scikit-learn's own tests of KMeans, of RemoteKMeans."""
