"""A program written for OpenAI's API, with the `openai` package at its defaults. Reads OPENAI_BASE_URL and OPENAI_API_KEY; prints one
JSON object of what it got, for the test that started it."""

import json

import openai

client = openai.OpenAI()
messages = [{"role": "user", "content": "Say hello."}]
tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
got = {"version": openai.__version__}

answer = client.chat.completions.create(
    model="gpt-4o-mini", messages=messages, extra_body={"router": {"authors": ["acme"]}}
)
got["whole"] = answer.choices[0].message.content

stream = client.chat.completions.create(
    model="free", messages=messages, stream=True, stream_options={"include_usage": True}
)
chunks = list(stream)
got["streamed"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
got["tokens"] = chunks[-1].usage.total_tokens

with client.chat.completions.stream(model="free:tools", messages=messages, tools=[tool]) as runner:
    runner.until_done()
    calls = runner.get_final_completion().choices[0].message.tool_calls or []
got["calls"] = [[call.function.name, call.function.arguments] for call in calls]

got["models"] = [model.id for model in client.models.list()]
got["model"] = client.models.retrieve("acme/plain-8b:free").id
got["vector"] = client.embeddings.create(model="embed/small-embed:free", input="one").data[0].embedding

try:
    client.images.generate(model="likeness/toy", prompt="a toy")
except openai.BadRequestError as error:
    got["image"] = error.code

try:
    client.chat.completions.create(model="free", messages=[{"role": "user", "content": "too much"}])
except openai.RateLimitError as error:
    got["day"] = error.code

print(json.dumps(got))
