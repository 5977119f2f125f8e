"""tokenization-service: the wall around card numbers.

What belongs here: checking, encrypting and handing out card numbers, and the audit of it. Who may be handed one is
said in the plan (the edge ``cards.grpc.methods("Detokenize")``) and enforced by the runtime's identity. What a card
pays for goes to payments.transaction instead.
"""
