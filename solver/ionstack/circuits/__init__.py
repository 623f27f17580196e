"""Circuits around devices, or alone: elements, their equations, crossbars."""
