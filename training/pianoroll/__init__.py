"""Piano rolls: an LSTM over frames that draws which keys sound next."""
