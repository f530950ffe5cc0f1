"""What several processes of one site share through a Redis: claims, counts and messages."""
