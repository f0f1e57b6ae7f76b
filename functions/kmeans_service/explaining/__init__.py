"""What is made of a finished fit when somebody asks: once, beside its model, never by the fit."""
