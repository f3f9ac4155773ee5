// The main job with Google's own client, over REST: for one cluster or a list.
// usage: node client.mjs            the cluster of CLUSTER_ID
//        node client.mjs LIST N     the cluster_id of each line, N at a time
import { readFileSync } from "node:fs";
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";

const NOT_FOUND = [404, 5];
const { CLUSTER_ID, GCP_PROJECT_ID, PULL_SECRET_FILE, SECRET_MANAGER_ENDPOINT } = process.env;
const { hostname, port } = new URL(SECRET_MANAGER_ENDPOINT);
const client = new SecretManagerServiceClient({
  fallback: true,
  apiEndpoint: hostname,
  port: Number(port),
});
const parent = `projects/${GCP_PROJECT_ID}`;
const data = readFileSync(PULL_SECRET_FILE);
if (!Object.keys(JSON.parse(data).auths).length) throw new Error("no auths");

// Adds a version, of a new secret if there is none, and reads it back.
async function store(cluster) {
  const secretId = `hyperfleet-${cluster}-pull-secret`;
  const add = () =>
    client.addSecretVersion({ parent: `${parent}/secrets/${secretId}`, payload: { data } });
  let version;
  try {
    [version] = await add();
  } catch (error) {
    if (!NOT_FOUND.includes(error.code)) throw error;
    const secret = { replication: { automatic: {} }, labels: { "cluster-id": cluster } };
    await client.createSecret({ parent, secretId, secret });
    [version] = await add();
  }
  const [back] = await client.accessSecretVersion({ name: version.name });
  if (!data.equals(Buffer.from(back.payload.data))) throw new Error(`${version.name} differs`);
}

async function storeEach(clusters) {
  for (const cluster of clusters) await store(cluster);
}

const [list, workers] = process.argv.slice(2);
if (list) {
  const lines = readFileSync(list, "utf8").trim().split("\n");
  const clusters = lines.map((line) => JSON.parse(line).cluster_id).values();
  await Promise.all(Array.from({ length: Number(workers) }, () => storeEach(clusters)));
} else {
  await store(CLUSTER_ID);
}
await client.close();
