"""Fakes of those that rank and embed alone: Jina, Voyage and DashScope's own interface, each as strict as its reference of
2026-11 says."""

import base64
import struct

from vendors import SECRET, Asked, Refused, must, only, ranks, vector


def opened(headers):
    if headers.get("authorization") != f"Bearer {SECRET}":
        raise Refused(401, "Provided API key is invalid.")


def ranking(model, query, documents, top):
    must(query and documents, "query and documents are required")
    must(top is None or 1 <= top <= len(documents), "top_n is out of range")
    texts = [one if isinstance(one, str) else one["text"] for one in documents]
    return Asked(model=model, stream=False, texts=[query], documents=texts, top=top)


def embedding(request, name):
    texts = request["input"]
    must(texts and all(isinstance(one, str) for one in texts), "input must be texts")
    return Asked(
        model=request["model"], stream=False, texts=texts, vectors=request.get(name) or 8
    )


def listed(asked, tokens):
    """Vectors in OpenAI's form."""

    def written(text):
        numbers = vector(text, asked.vectors)
        if not asked.packed:
            return numbers
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()

    data = [
        {"object": "embedding", "index": index, "embedding": written(text)}
        for index, text in enumerate(asked.texts)
    ]
    return {"object": "list", "data": data, "model": asked.model, "usage": tokens}


def places(asked):
    return [{"index": at, "relevance_score": score} for at, score in ranks(asked)]


class Jina:
    version = "v1"
    calls = "call_"

    def read(self, path, headers, request):
        opened(headers)
        if path == "v1/rerank":
            only(request, "model query documents top_n return_documents truncation".split())
            must(request["return_documents"] is False, "nobody reads the documents")
            top = request.get("top_n")
            return ranking(request["model"], request["query"], request["documents"], top)
        must(path == "v1/embeddings", f"no such path {path}")
        fields = "model input task dimensions embedding_type late_chunking truncate normalized"
        only(request, fields.split())
        must(request["embedding_type"] == "float", "only floats are asked for here")
        return embedding(request, "dimensions")

    def whole(self, asked, said):
        tokens = {"total_tokens": said.input}
        if asked.documents is None:
            return listed(asked, {**tokens, "prompt_tokens": said.input})
        return {"model": asked.model, "object": "list", "usage": tokens, "results": places(asked)}

    def error(self, status, message):
        return {"detail": message}


class Voyage:
    version = "v1"
    calls = "call_"

    def read(self, path, headers, request):
        opened(headers)
        if path == "v1/rerank":
            only(request, "model query documents top_k return_documents truncation".split())
            top = request.get("top_k")
            return ranking(request["model"], request["query"], request["documents"], top)
        must(path == "v1/embeddings", f"no such path {path}")
        fields = "model input input_type truncation output_dimension output_dtype encoding_format"
        only(request, fields.split())
        must(request.get("encoding_format") in (None, "base64"), "encoding_format must be base64")
        must(request.get("input_type") in (None, "query", "document"), "invalid input_type")
        return embedding(request, "output_dimension")

    def whole(self, asked, said):
        tokens = {"total_tokens": said.input}
        if asked.documents is None:
            return listed(asked, tokens)
        return {"object": "list", "data": places(asked), "model": asked.model, "usage": tokens}

    def error(self, status, message):
        return {"detail": message}


class DashScope:
    version = "compatible-mode/v1"  # as it stands in many settings; the door finds the others beside it
    calls = "call_"

    def read(self, path, headers, request):
        opened(headers)
        if path == "api/v1/services/rerank/text-rerank/text-rerank":
            only(request, ["model", "input", "parameters"])
            only(request["input"], ["query", "documents"], "input")
            parameters = request["parameters"]
            only(parameters, ["top_n", "return_documents", "instruct"], "parameters")
            given = request["input"]
            return ranking(
                request["model"], given["query"], given["documents"], parameters.get("top_n")
            )
        must(path == "compatible-mode/v1/embeddings", f"no such path {path}")
        only(request, ["model", "input", "dimensions", "encoding_format"])
        must(request["encoding_format"] == "float", "encoding_format must be float")
        must(len(request["input"]) <= 10, "batch size is invalid, it should not be larger than 10")
        return embedding(request, "dimensions")

    def whole(self, asked, said):
        if asked.documents is None:
            told = {"prompt_tokens": said.input, "total_tokens": said.input}
            return listed(asked, told)
        return {
            "output": {"results": places(asked)},
            "usage": {"total_tokens": said.input},
            "request_id": "tides",
        }

    def error(self, status, message):
        return {"code": "InvalidParameter", "message": message, "request_id": "tides"}
