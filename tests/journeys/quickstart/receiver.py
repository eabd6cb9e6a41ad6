"""A callback receiver on Flask that reads the links as JSON text. Prints its port, then a line for each callback."""

from __future__ import annotations

import json

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

app = Flask(__name__)


@app.route("/veo3-callback", methods=["POST"])
def told() -> tuple[Response, int]:
    event = request.json or {}
    data = event.get("data", {})
    films = json.loads(data["info"]["resultUrls"]) if event.get("code") == 200 else []
    print(json.dumps({"code": event["code"], "taskId": data["taskId"], "films": films}), flush=True)
    return jsonify({"status": "received"}), 200


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app)
    print(server.port, flush=True)
    server.serve_forever()
