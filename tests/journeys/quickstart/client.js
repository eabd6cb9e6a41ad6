// A program as people write it for the hosted API: order a film, look now and then, save it.
// Only the base URL, the key and the interval come from outside.
const axios = require("axios");
const fs = require("fs");

const [, , base, key, intervalMs, target, callBackUrl] = process.argv;
const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function order(prompt) {
  const body = { prompt, model: "veo3", aspectRatio: "16:9", ...(callBackUrl ? { callBackUrl } : {}) };
  const answer = await axios.post(`${base}/api/v1/veo/generate`, body, { headers });
  return answer.data.data.taskId;
}

async function look(taskId) {
  const answer = await axios.get(`${base}/api/v1/veo/record-info?taskId=${taskId}`, { headers });
  const { data, msg } = answer.data;
  switch (data.status) {
    case 0:
      return null;
    case 1:
      return JSON.parse(data.resultUrls);
    default:
      throw new Error(`no film: ${msg}`);
  }
}

async function save(url) {
  const answer = await axios.get(url, { responseType: "stream" });
  await new Promise((done, failed) => {
    const file = fs.createWriteStream(target);
    answer.data.pipe(file);
    file.on("finish", done).on("error", failed);
  });
}

(async () => {
  const taskId = await order("A cute cat playing in a garden on a sunny day, high quality");
  let urls = null;
  for (const deadline = Date.now() + 120000; !urls && Date.now() < deadline; ) {
    urls = await look(taskId);
    if (!urls) await pause(Number(intervalMs));
  }
  await save(urls[0]);
  console.log(JSON.stringify({ taskId, urls }));
})().catch((error) => {
  console.error(error.response ? error.response.data : error.message);
  process.exit(1);
});
