"""What several payments services share: ids, money, cards, failures. One module a noun; nothing here does I/O."""
