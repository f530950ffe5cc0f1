"""The admin's page of usage: charts and tables by model, key and account."""
