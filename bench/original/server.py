# mypy: ignore-errors
"""The original's Flask server, and beside it what CPU time its process has used.

python server.py PORT
"""

import sys
import time

import connexion

app = connexion.App(__name__, specification_dir=".")
app.add_api("api.yaml")
app.app.add_url_rule("/cpu", view_func=lambda: str(time.process_time()))

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
