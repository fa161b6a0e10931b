// An agent of the Vercel AI SDK: one tool, a scripted model server in the same process, spans over OTLP.
import { createServer } from "node:http";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const answers = [
  { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "find_invoice", arguments: '{"number":"7"}' } }] },
  { role: "assistant", content: "You paid twice." },
];
const server = createServer((_request, response) => {
  const message = answers.shift();
  const finish_reason = message.tool_calls ? "tool_calls" : "stop";
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ id: `resp-${answers.length}`, created: 1, model: "gpt-5-mini", object: "chat.completion",
    choices: [{ index: 0, message, finish_reason }], usage: { prompt_tokens: 120, completion_tokens: 18, total_tokens: 138 } }));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const openai = createOpenAI({ apiKey: "x", baseURL: `http://127.0.0.1:${server.address().port}/v1` });
const { text } = await generateText({
  model: openai.chat("gpt-5-mini"),
  prompt: "I paid invoice 7 twice",
  tools: { find_invoice: tool({ description: "Finds one", inputSchema: z.object({ number: z.string() }), execute: async ({ number }) => `invoice ${number}: 42.00 EUR, paid twice` }) },
  stopWhen: stepCountIs(3),
  experimental_telemetry: { isEnabled: true, functionId: "triage", metadata: { sessionId: "support-42" } },
});
console.log(text);
await provider.forceFlush();
await provider.shutdown();
server.close();
