"""Jobs and their table: every change of a job's state is one conditional write.

Whoever wins the write does the work; everybody else learns from the failed condition.

    pk         sk               what
    O#{owner}  META             next_id, the next job id; jobs and stored_bytes, how many there are
    O#{owner}  UP#{upload}      job_id of this file name and bytes
    O#{owner}  EV#{event}       an S3 event that was handled
    O#{owner}  J#{job_id}       the job; while somebody must look after it also gsi1pk and due_at
    O#{owner}  P#{job_id}#{…}   a large prediction
    O#{owner}  L#{job_id}#{…}   objects of a model that was replaced, until they are removed
    Q          {owner}#{…}      work that waits for the worker, in its owner's line
    Q          #SHARES          who works at what

Times that are compared are whole epoch seconds.
"""
