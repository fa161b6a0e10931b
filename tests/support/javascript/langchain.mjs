// An agent of LangGraph for JavaScript: one tool, a scripted model, spans of OpenInference over OTLP.
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as callbackManager from "@langchain/core/callbacks/manager";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const instrumentation = new LangChainInstrumentation({ tracerProvider: provider });
instrumentation.manuallyInstrument(callbackManager);

class Scripted extends BaseChatModel {
  answers = [
    new AIMessage({ content: "", tool_calls: [{ id: "call_1", name: "find_invoice", args: { number: "7" } }], usage_metadata: { input_tokens: 120, output_tokens: 18, total_tokens: 138 } }),
    new AIMessage({ content: "You paid twice.", usage_metadata: { input_tokens: 120, output_tokens: 18, total_tokens: 138 } }),
  ];
  _llmType() { return "scripted"; }
  bindTools() { return this; }
  async _generate() {
    const message = this.answers.shift();
    return { generations: [{ message, text: String(message.content) }], llmOutput: {} };
  }
}
const findInvoice = tool(async ({ number }) => `invoice ${number}: 42.00 EUR, paid twice`, { name: "find_invoice", description: "Finds one",
  schema: { type: "object", properties: { number: { type: "string" } }, required: ["number"] } });
const agent = createReactAgent({ llm: new Scripted({}), tools: [findInvoice], name: "triage" });
const answer = await agent.invoke({ messages: [{ role: "user", content: "I paid invoice 7 twice" }] }, { metadata: { session_id: "support-42" }, configurable: { thread_id: "support-42" } });
console.log(answer.messages.at(-1).content);
await provider.forceFlush();
await provider.shutdown();
