"""A handwritten loop over Bedrock's Converse, over the wire: a client for threads."""

import asyncio
import json
import threading

import boto3
from botocore.config import Config

from support.drivers import together
from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver

_session, _making = boto3.Session(region_name="us-east-1"), threading.Lock()
ASKED = {"modelId": MODEL, "system": [{"text": "Help."}]}


class BedrockConverse(OverTheWire, RuntimeDriver):
    """Each answer is whole; streams are read event by event."""

    adapter = "bedrock"

    def client(self, conversation, script):
        key = self.serve(conversation, script)
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        with _making:  # a session makes one client at a time
            return _session.client(
                "bedrock-runtime", endpoint_url=self.server.url, config=config, verify=False,
                aws_access_key_id=key, aws_secret_access_key="none",
            )  # fmt: skip

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        client = self.client(conversation, script)
        try:
            while True:
                message = await self._asked(client, messages)
                messages.append(message)
                wanted = [block["toolUse"] for block in message["content"] if "toolUse" in block]
                if not wanted:
                    return message["content"][0]["text"]
                results = await together([(c["name"], c["input"]) for c in wanted], lambda error: error)
                content = [
                    {
                        "toolResult": {
                            "toolUseId": call["toolUseId"],
                            "content": [{"text": f"Error: {r}" if isinstance(r, Exception) else str(r)}],
                            "status": "error" if isinstance(r, Exception) else "success",
                        }
                    }
                    for call, r in zip(wanted, results, strict=True)
                ]
                messages.append({"role": "user", "content": content})
        finally:
            client.close()

    async def _asked(self, client, messages):
        return self._ask(client, messages)  # which blocks the loop, as a program may

    def _ask(self, client, messages):
        return client.converse(messages=messages, **ASKED)["output"]["message"]

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        client = self.client(conversation, script)
        try:
            events = iter(client.converse_stream(messages=messages, **ASKED)["stream"])
            while (event := next(events, None)) is not None:
                yield event
                await asyncio.sleep(0)
        finally:
            del events
            client.close()

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [])
        messages.append({"role": "user", "content": [{"text": prompt}]})
        return messages


class BedrockStreams(BedrockConverse):
    """Each answer is streamed, and put together by the program, in a thread."""

    cannot = {"cancelled tools": "a thread is in no task"}

    async def _asked(self, client, messages):
        return await asyncio.to_thread(self._ask, client, messages)

    def _ask(self, client, messages):
        blocks = {}
        for event in client.converse_stream(messages=messages, **ASKED)["stream"]:
            if started := event.get("contentBlockStart"):
                blocks[started["contentBlockIndex"]] = {"toolUse": {**started["start"]["toolUse"], "input": ""}}
            elif delta := event.get("contentBlockDelta"):
                block = blocks.setdefault(delta["contentBlockIndex"], {"text": ""})
                if "text" in delta["delta"]:
                    block["text"] += delta["delta"]["text"]
                else:
                    block["toolUse"]["input"] += delta["delta"]["toolUse"]["input"]
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
        return {"role": "assistant", "content": [block for _, block in sorted(blocks.items())]}


drivers = [BedrockConverse, BedrockStreams]
