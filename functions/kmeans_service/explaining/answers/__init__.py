"""What GET /kmeans/jobs/{job_id}/clusters, …/projection and …/report answer: their makers.

What takes time, `described` and `drawn`, is made once for a model. The answers are these with the
clusters' names in them, and made anew where a name changes.
"""
