// A callback receiver on Express that reads the links as JSON text, as the quickstart's does. Prints its port, then
// one line for each callback.
const express = require("express");

const app = express();
app.use(express.json());
app.post("/veo3-callback", (request, response) => {
  const { code, msg, data } = request.body;
  const films = code === 200 ? JSON.parse(data.info.resultUrls) : [];
  console.log(JSON.stringify({ code, msg, taskId: data.taskId, films }));
  response.status(200).json({ status: "received" });
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
