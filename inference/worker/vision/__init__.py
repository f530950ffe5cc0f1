"""How models see: pictures become rows of features, which stand in a prompt where its image tokens are.

A prompt with pictures is an ordinary list of token ids, with the family's image token repeated. Where its
pictures stand is known by position (places.py). While the engine builds a forward pass of a prompt it says
which pictures each row has (rows.py), and the model's embedding puts their features in place
(seeing_embedding.py). Everything else that works with tokens needs to know nothing of pictures.
"""
