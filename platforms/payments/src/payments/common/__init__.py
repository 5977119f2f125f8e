"""What several payments services share: ids, money, cards, keys, tokens, mail, failures. One module a noun."""
