# class:     memory
# attack:    memory, more and more of it
# contained: MemoryError at the limit
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

HELD = []
while True:
    HELD.append(bytearray(64 << 20))
