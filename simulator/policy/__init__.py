"""What is insured: terms, covered debt, indemnity and its payment day."""
