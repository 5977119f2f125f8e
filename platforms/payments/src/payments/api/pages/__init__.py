"""What card holders see: plain HTML that needs no JavaScript, loads nothing from elsewhere and shows no card number."""
