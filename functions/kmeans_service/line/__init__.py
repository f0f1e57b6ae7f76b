"""Who works next: what waits in line, who holds which worker, and what wakes them."""
