// Google's own client makes the calls that are asked for, over REST. Prints what came of each.
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";

const [port, calls] = JSON.parse(process.argv[2]);
const client = new SecretManagerServiceClient({ fallback: true, apiEndpoint: "localhost", port });
const results = [];
for (const [method, request] of calls) {
  if (request.payload?.data) request.payload.data = Buffer.from(request.payload.data);
  try {
    const [reply] = await client[method](request);
    results.push({ name: reply.name ?? null, data: reply.payload?.data?.toString() ?? null });
  } catch (error) {
    results.push({ error: error.message, code: error.code ?? null });
  }
}
console.log(JSON.stringify(results));
await client.close();
