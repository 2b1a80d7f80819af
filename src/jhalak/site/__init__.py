"""The site: settings, routes, pages, the processes that serve them. The top floor: it may import
any room.
"""
