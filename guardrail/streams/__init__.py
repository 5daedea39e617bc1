"""Streams that are verified before they are released.

How a mount uses it
-------------------
`Guard.gated` (and `Guard.agated` on an event loop) takes the upstream's pieces and gives back what may be shown:

    with guard.gated(chunks, messages, split=split, generate=generate, close=response.close) as gated:
        for item in gated:
            match item:
                case Release(): send(item.piece)            # a piece of the upstream, or of what goes on from it
                case Write():   send(event_with(item.text))  # text of the guard's own: the policy's notice, a blank
                case Ended():   send(last_events(item.outcome))
                case _:         ...                          # Pending, Verified, Retracted, Replaced: for a UI

``chunks`` is an iterable of `Chunk`: a piece, whatever it is to the mount (an event, a chunk of a framework), with the
text that it adds to the answer of choice ``index``. Pieces without text (a role, a call of a tool) keep their place
among the others and never overtake held text; what stands at the end of a stream (finish reason, usage, the end mark)
is best kept back by the mount and sent, mended, at `Ended`. What belongs to no answer (comments) need not go through.

``split(piece, at)`` cuts a piece in two where a sentence ends inside it. ``merge(one, next_, text)``, which a mount may
do without, makes one piece of two that wait for the same verdict: a sentence then comes as one piece, not as many.
``generate(draft)`` asks the LLM again and gives an iterable of chunks, with `Chunk.usage` where a piece tells it; with
``draft.prefix`` the LLM is asked to go on after text that is shown already, as ``draft.messages`` says. ``close()``
ends the upstream while another thread waits for it; leaving the ``with`` block, or `Gated.close`, does it too. The
upstream's error is raised once all that was verified has been given, and after `Ended`.

`values` holds what goes in and comes out, `flow` decides (pure), `pump` and `apump` perform.
"""
