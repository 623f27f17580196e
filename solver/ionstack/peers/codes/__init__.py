"""Programs for the Python of another code: one each per code and problem family.

They import nothing of ionstack and run as ``python -m codes.NAME`` with this
package's parent folder on the path. The last line that each prints is one JSON object.
"""
