"""The shells that people paste lines into, without their configuration, as if the lines were typed."""

SHELLS = {
    "bash": ["bash", "--norc", "-i"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config"],
}
