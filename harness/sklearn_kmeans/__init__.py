"""scikit-learn's own tests of KMeans: which of them, and what they are run on."""
