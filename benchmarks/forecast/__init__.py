"""How far the forecast can be believed: simulated studies in worlds that its model describes, and in others."""
