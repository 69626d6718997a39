"""Keras models and SavedModel folders to a .tflite, through TensorFlow."""
