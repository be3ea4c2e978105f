"""Plans of exercise: written, published, assigned, followed and measured."""
