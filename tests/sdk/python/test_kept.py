"""OpenAI's official client on what is kept: responses, conversations and chat completions."""

import time

import openai
import pytest

from waule import CHAT, Tenant, client

# A replica hears of a tenant's settings within a second.
SETTINGS_SECONDS = 1.2


@pytest.fixture
def keeper(admin):
    tenant = Tenant(admin, credits="100")
    admin.ask("PUT", f"/tenants/{tenant.id}/keeping", {"days": 1})
    time.sleep(SETTINGS_SECONDS)
    return client(tenant.key)


def test_a_response_is_kept_and_continued(keeper):
    first = keeper.responses.create(model=CHAT, input="The word is heron.", metadata={"a": "b"})
    assert first.store is True
    assert keeper.responses.retrieve(first.id).output_text == first.output_text
    second = keeper.responses.create(model=CHAT, input="Which?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    items = list(keeper.responses.input_items.list(second.id, order="asc"))
    assert [item.content[0].text for item in items] == ["Which?"]
    with keeper.responses.stream(
        model=CHAT, input="And now?", previous_response_id=second.id
    ) as stream:
        third = stream.get_final_response()
    assert keeper.responses.retrieve(third.id).output_text == third.output_text
    keeper.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        keeper.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError) as refused:
        keeper.responses.create(model=CHAT, input="x", previous_response_id=second.id)
    assert refused.value.code == "previous_response_not_found"


def test_a_response_in_the_background_is_polled_and_cancelled(keeper):
    begun = keeper.responses.create(model=CHAT, input="Later. [delay:300]", background=True)
    assert begun.status in ("queued", "in_progress")
    for _ in range(100):
        answer = keeper.responses.retrieve(begun.id)
        if answer.status not in ("queued", "in_progress"):
            break
        time.sleep(0.05)
    assert answer.status == "completed" and answer.output_text
    slow = keeper.responses.create(model=CHAT, input="Later. [delay:20000]", background=True)
    assert keeper.responses.cancel(slow.id).status == "cancelled"


def test_a_conversation_remembers(keeper):
    made = keeper.conversations.create(
        metadata={"topic": "birds"},
        items=[{"type": "message", "role": "user", "content": "The word is heron."}],
    )
    answer = keeper.responses.create(model=CHAT, input="Which?", conversation=made.id)
    assert answer.conversation.id == made.id
    items = list(keeper.conversations.items.list(made.id, order="asc", limit=2))
    assert [item.role for item in items] == ["user", "user", "assistant"]
    added = keeper.conversations.items.create(made.id, items=[{"role": "user", "content": "More."}])
    item = added.data[0]
    assert keeper.conversations.items.retrieve(item.id, conversation_id=made.id).id == item.id
    keeper.conversations.items.delete(item.id, conversation_id=made.id)
    changed = keeper.conversations.update(made.id, metadata={"topic": "herons"})
    assert changed.metadata == {"topic": "herons"}
    assert keeper.conversations.retrieve(made.id).metadata == {"topic": "herons"}
    assert keeper.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        keeper.conversations.retrieve(made.id)


def test_chat_completions_are_kept_listed_and_changed(keeper):
    made = [
        keeper.chat.completions.create(
            model=CHAT,
            store=True,
            metadata={"number": str(number)},
            messages=[{"role": "user", "content": f"Question {number}."}],
        )
        for number in range(3)
    ]
    listed = list(keeper.chat.completions.list(limit=2))
    assert [one.id for one in listed] == [one.id for one in made]
    narrowed = list(keeper.chat.completions.list(metadata={"number": "1"}))
    assert [one.id for one in narrowed] == [made[1].id]
    found = keeper.chat.completions.retrieve(made[0].id)
    assert found.choices[0].message.content == made[0].choices[0].message.content
    messages = list(keeper.chat.completions.messages.list(made[0].id))
    assert [message.content for message in messages] == ["Question 0."]
    assert keeper.chat.completions.update(made[0].id, metadata={"a": "b"}).metadata == {"a": "b"}
    assert keeper.chat.completions.delete(made[0].id).deleted
    assert len(list(keeper.chat.completions.list())) == 2


def test_nothing_is_kept_where_the_tenant_does_not_want_it(demo):
    answer = demo.responses.create(model=CHAT, input="Hello.", store=True)
    assert answer.store is False
    with pytest.raises(openai.NotFoundError):
        demo.responses.retrieve(answer.id)


def begin(keeper, text):
    return keeper.responses.create(model=CHAT, input=text, background=True, stream=True)


def follow(keeper, name, after):
    return list(keeper.responses.retrieve(name, stream=True, starting_after=after))


def test_a_stream_in_the_background_is_left_and_followed_to_its_end(keeper):
    seen = []
    with begin(keeper, "Say it slowly. [tokens:20] [pace:50]") as stream:
        for event in stream:
            seen.append(event)
            if len(seen) == 5:
                break
    name = seen[0].response.id
    assert seen[0].type == "response.created" and seen[0].response.background is True
    assert keeper.responses.retrieve(name).status in ("queued", "in_progress")
    seen += follow(keeper, name, seen[-1].sequence_number)
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    assert "".join(deltas) == seen[-1].response.output_text
    assert keeper.responses.retrieve(name).output_text == seen[-1].response.output_text
    again = follow(keeper, name, 2)
    assert [event.to_dict() for event in again] == [event.to_dict() for event in seen[3:]]


def test_a_stream_in_the_background_ends_also_where_it_fails_or_is_cancelled(keeper):
    failed = list(begin(keeper, "[fail:400]"))[-1]
    assert failed.type == "response.failed" and failed.response.error.message
    stream = begin(keeper, "Slowly. [tokens:500] [pace:100]")
    name = next(iter(stream)).response.id
    assert keeper.responses.cancel(name).status == "cancelled"
    last = follow(keeper, name, 0)[-1]
    assert (last.type, last.response.status) == ("response.incomplete", "cancelled")
    stream.close()


def test_words_of_include_are_taken_and_unknown_ones_refused(keeper):
    answer = keeper.responses.create(model=CHAT, input="Hello.")
    words = ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert keeper.responses.retrieve(answer.id, include=words).id == answer.id
    assert list(keeper.responses.input_items.list(answer.id, include=words))
    with pytest.raises(openai.BadRequestError):
        keeper.responses.retrieve(answer.id, include=["thoughts"])
