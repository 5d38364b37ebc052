# class:     GPU memory
# attack:    memory of every GPU
# contained: there is no GPU in the sandbox
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

HELD = [torch.empty(1 << 34, device=f"cuda:{number}") for number in range(16)]
