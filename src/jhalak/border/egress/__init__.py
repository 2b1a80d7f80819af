"""The one door: a broker outside the seal that connects to declared destinations and to nothing
else, and writes down every flow before it answers.

    destinations   what is declared, read strictly
    addresses      which addresses nobody may be sent to, and the pin
    line           one TCP connection, counted byte by byte, with its limits
    delivery       a mail, a POST: what is said over a line
    messages       how the site's processes and the broker speak
    broker         the process; client: who asks it
"""
