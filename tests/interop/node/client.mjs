// Google's own client makes the calls that are asked for, over REST. Prints what came of each.
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { GoogleAuth } from "google-auth-library";

const wanted = JSON.parse(process.argv[2]);
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const DURATIONS = ["ttl", "rotationPeriod", "versionDestroyTtl"];
const TIMES = ["expireTime", "nextRotationTime"];

const snake = (name) => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());

// What JSON says in its own way, as the messages have it.
function message(value, name) {
  if (DURATIONS.includes(name)) return { seconds: Number(value.slice(0, -1)) };
  if (TIMES.includes(name)) return { seconds: Date.parse(value) / 1000 };
  if (name === "updateMask") return { paths: value.split(",").map(snake) };
  if (name === "data") return Buffer.from(value, "base64");
  if (Array.isArray(value)) return value.map((item) => message(item));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, message(item, key)]));
}

function plain(value) {
  return JSON.parse(
    JSON.stringify(value, (key, item) =>
      item?.type === "Buffer" ? Buffer.from(item.data).toString("base64") : item,
    ),
  );
}

async function call(client, method, request) {
  if (method === "idToken") {
    const source = await new GoogleAuth({ scopes: SCOPE }).getIdTokenClient(request.audience);
    return { token: await source.idTokenProvider.fetchIdToken(request.audience) };
  }
  if (method === "listLocations") {
    const rows = [];
    for await (const row of client.listLocationsAsync(request)) rows.push(row);
    return rows;
  }
  const reply = await client[method](message(request));
  return reply[0];
}

async function outcome(client, method, request) {
  try {
    return { reply: plain((await call(client, method, request)) ?? {}) };
  } catch (error) {
    return { error: String(error.message ?? error), code: error.code ?? null };
  }
}

const options = { fallback: true };
if (wanted.endpoint) options.apiEndpoint = wanted.endpoint;
if (wanted.port) options.port = wanted.port;
const client = new SecretManagerServiceClient(options);
const results = [];
for (const [method, request] of wanted.calls) {
  results.push(await outcome(client, method, request));
}
console.log(JSON.stringify(results));
await client.close();
